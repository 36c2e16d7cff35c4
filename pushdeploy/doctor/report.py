"""How findings are printed: as lines for people, as rows for programs."""

from collections.abc import Sequence
from dataclasses import asdict

from pushdeploy.domain.finding import Finding
from pushdeploy.output import columns
from pushdeploy.program import typed


def rows(findings: Sequence[Finding]) -> list[dict[str, object]]:
    return [asdict(finding) for finding in findings]


def lines(findings: Sequence[Finding]) -> list[str]:
    """Print a line for each finding; the command to type stands under a fault."""
    heads = columns([("ok" if each.ok else " !", each.check, each.detail) for each in findings])
    shown = []
    for finding, head in zip(findings, heads, strict=True):
        shown.append(head)
        if finding.mend and not finding.ok:
            shown.append(f"       type: {typed(finding.mend)}")
    return shown
