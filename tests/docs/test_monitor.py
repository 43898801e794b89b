"""The page about monitoring: its shell and YAML work against a real daemon, its tables are complete."""

import asyncio
import re
import shutil

import pytest
import yaml

from aimark_daemon.gpu import faults
from aimark_daemon.server.prometheus import FAMILIES
from tests.docs.markdown import blocks, read
from tests.e2e.harness import daemon
from tests.server.test_prometheus import parse

PAGE = read("docs/how-to/monitor.md")


def in_first_column(text, pattern):
    return {
        name for row in text.splitlines() if row.startswith("| `") for name in re.findall(pattern, row.split("|")[1])
    }


def test_every_metric_is_listed_with_no_other():
    assert in_first_column(PAGE, r"`(aimark_\w+)`") == set(FAMILIES)


def test_every_reason_for_a_missing_card_is_listed_with_no_other():
    codes = {kind.code for kind in vars(faults).values() if isinstance(kind, faults.GPU_LOST.__class__)}
    assert in_first_column(PAGE, r"`(gpu_\w+)`") == codes


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl: apt-get install curl")
async def test_the_shell_line_reads_the_metrics_of_a_running_daemon(tmp_path):
    script = next(block.text for block in blocks(PAGE, "bash") if "curl" in block.text)
    async with daemon(tmp_path, fake=True) as process:
        script = script.replace("~/.local/state/aimark/run/token", str(process.paths.token))
        script = script.replace("8756", str(process.port))
        shell = await asyncio.create_subprocess_exec("sh", "-c", script, stdout=asyncio.subprocess.PIPE)
        async with asyncio.timeout(30):
            out, _ = await shell.communicate()
    assert shell.returncode == 0
    assert ("aimark_turns", frozenset()) in parse(out.decode())


def test_the_scrape_configuration_is_yaml_that_asks_with_the_token():
    (scrape,) = yaml.safe_load(blocks(PAGE, "yaml")[0].text)["scrape_configs"]
    assert scrape["static_configs"] == [{"targets": ["127.0.0.1:8756"]}]
    assert scrape["authorization"]["type"] == "Bearer"
    assert scrape["authorization"]["credentials_file"].endswith("/aimark/run/token")
    assert "metrics_path" not in scrape, "Prometheus asks for /metrics by itself"
