# SPDX-License-Identifier: Apache-2.0
"""What every result of a bench says of where it is from, and how it is written."""
import datetime
import json
import os
import platform
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def output(command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout


def machine():
    fields = dict(line.split(":", 1) for line in output(["lscpu"]).splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    keep = ("Model name", "CPU family", "Model", "CPU(s)", "L2 cache", "L3 cache", "Hypervisor vendor")
    return {**{key: fields[key] for key in keep if key in fields}, "system": platform.platform()}


def commit():
    try:
        return output(["git", "-C", ROOT, "describe", "--always", "--dirty"]).strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def origin(command, realtime):
    """Machine, date, commit, command and priority, as fields of a result."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    return {"priority": "with real-time priority" if realtime else "with usual priority", "machine": machine(), "date": now,
            "commit": commit(), "command": command}


def default_out(name):
    return os.path.join(ROOT, "bench", "results", name)


def write_result(out, result, report):
    """OUT.json holds the result, OUT.md the report, which is also printed."""
    with open(out + ".json", "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    with open(out + ".md", "w", encoding="utf-8") as file:
        file.write(report)
    print(report)
