"""What bench/compare found, for programs and for people."""
import json, re, shlex, subprocess
from pathlib import Path

INTRO = """# Benchmarks

drover beside the tools that users would pick instead: the same registry, the same images, in turn, medians. Registry, engines and tools
share one machine, so the ratios of one run say more than the seconds. Where drover is the slower one the ratio is above 1.

The slow link has a round trip of 40 ms, 10 MB/s a connection and 100 MB/s in all (`bench/slow_link`); an update goes through the round trip
alone. "Cold" is an engine whose images were just removed, which slows the making of files for both sides alike.

`make bench` writes this page and takes about ten minutes; `bench/compare --help` has the cases for your own images, links and engines.
"""


def cpu_model():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown"


def version_of(command):
    """The first thing that looks like a version in what a tool says of itself."""
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"\d+\.\d+(\.\d+)?", said.stdout + said.stderr)
    return found.group() if found and said.returncode == 0 else None


def tool_versions(args):
    commands = {"drover": [args.drover, "--version"], "curl": ["curl", "--version"], "openssl": ["openssl", "version"], "aria2c": ["aria2c", "--version"],
                "nginx": ["nginx", "-v"], "docker-registry": ["docker-registry", "--version"], "skopeo": [*shlex.split(args.skopeo), "--version"],
                "crane": [*shlex.split(args.crane), "version"], "oras": [*shlex.split(args.oras), "version"], "docker": [*shlex.split(args.docker), "--version"],
                "docker compose": [*shlex.split(args.compose), "version"]}
    versions = {name: version_of(command) for name, command in commands.items() if len(command) > 1}
    return {name: version for name, version in versions.items() if version}


def write_json(path, facts, rows):
    path.write_text(json.dumps({**facts, "rows": rows}, indent=1) + "\n")


def note_of(row):
    """What a row says besides its seconds."""
    notes = []
    if row.get("failures"):
        notes.append(f"{row['failures']} failed")
    if "fetched_to_total" in row:
        notes.append(f"fetched {100 * row['fetched_to_total']:.2f} % of the bytes")
    if "first_byte" in row:
        notes.append(f"first new bytes after {row['first_byte']:.2f} s, {row['fetched_again']} bytes fetched again")
    if "peak_kib" in row:
        notes.append(f"{row['peak_kib'] / 1024:.0f} MiB at most")
    return ", ".join(notes)


def write_markdown(path, facts, rows):
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    lines = [INTRO, f"{facts['cpu']}, {facts['cores']} cores; medians of {facts['repeat']}; {versions}.", "",
             "| case | tool | seconds | drover takes | |", "|---|---|---:|---:|---|"]
    for row in rows:
        seconds = f"{row['seconds']:.2f}" if row.get("seconds") else ""
        ratio = f"{row['drover_to_it']:.2f}x" if row.get("drover_to_it") and row["tool"] != "drover" else ""
        lines.append(f"| {row['case']} | {row['tool']} | {seconds} | {ratio} | {note_of(row)} |")
    path.write_text("\n".join(lines) + "\n")
