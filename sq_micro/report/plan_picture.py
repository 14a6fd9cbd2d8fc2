"""The arena over time as SVG: a column per operator, bytes upwards, a rectangle for each buffer."""

from __future__ import annotations

from html import escape

from sq_micro.report.evidence import ArenaBufferRecord, ArenaPlanRecord, ArenaShareRecord

_COLUMN, _HEIGHT = 68, 420  # of an operator; of the arena
_LEFT, _RIGHT, _TOP = 74, 130, 58  # room for the axis, for the arena's size, for the title
_CHARACTER = 6.2  # width of one at 10 px, about
_LINE = 12
_COLOURS = ("#4e79a7", "#59a14f", "#b07aa1", "#76b7b2", "#9c755f", "#86bcb6")
_STYLE = (
    "text{font:10px sans-serif;fill:#222}.title{font-size:14px;font-weight:bold}"
    ".in{fill:#fff;pointer-events:none}.end{text-anchor:end}.peak{fill:none;stroke:#c0392b;stroke-width:2}.peakname{font-weight:bold}"
    ".axis{stroke:#999}.arena{stroke:#c0392b;stroke-width:1.5;stroke-dasharray:5 3}.size{fill:#c0392b}"
    ".buffer{stroke:#fff;stroke-width:.8;fill-opacity:.82}"
)


def plan_picture(plan: ArenaPlanRecord, arena_bytes: int, name: str) -> str:
    """A complete SVG document. Where two rectangles overlap, an operator writes over its input as it reads it."""
    names_height = min(150, 16 + round(0.72 * _CHARACTER * max(map(len, plan.operators))))
    width = _LEFT + _COLUMN * len(plan.operators) + _RIGHT
    bottom = _TOP + _HEIGHT
    peak = plan.operators.index(plan.peak_operator)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{bottom + names_height}" role="img"'
        f' viewBox="0 0 {width} {bottom + names_height}">',
        f"<title>{escape(name)}: the arena over time</title>",
        f"<style>{_STYLE}</style>",
        '<defs><pattern id="scratch" width="5" height="5" patternUnits="userSpaceOnUse"'
        ' patternTransform="rotate(45)"><rect width="5" height="5" fill="#f3c26b"/>'
        '<rect width="2" height="5" fill="#e09f3e"/></pattern></defs>',
        f'<rect width="{width}" height="{bottom + names_height}" fill="#fff"/>',
        f'<text class="title" x="{_LEFT}" y="22">{escape(name)}: {arena_bytes:,} bytes of arena</text>',
        f'<text x="{_LEFT}" y="38">a column is an operator, a rectangle a tensor while it is needed; hatched: scratch;'
        f" framed: '{escape(plan.peak_operator)}', where the arena is fullest</text>",
        *_axis(arena_bytes, width),
    ]
    drawn = sorted(plan.buffers, key=lambda one: (one.first, -one.size_bytes, one.name))
    colours = iter(_COLOURS * len(drawn))
    for buffer in drawn:
        parts.append(_rectangle(buffer, arena_bytes, next(colours) if buffer.tensors else "url(#scratch)"))
    for buffer in drawn:
        parts += _label(buffer, arena_bytes, _clear_columns(buffer, drawn))
    parts += [_operator_name(index, operator, index == peak) for index, operator in enumerate(plan.operators)]
    end = _x(len(plan.operators))
    for share in plan.shares:
        parts += _share(share, arena_bytes, end)
    parts += [
        f'<rect class="peak" x="{_x(peak)}" y="{_TOP}" width="{_COLUMN}" height="{_HEIGHT}"/>',
        f'<line class="arena" x1="{_LEFT}" x2="{end}" y1="{_TOP}" y2="{_TOP}"/>',
        f'<text class="size" x="{end + 6}" y="{_TOP + 4}">arena {arena_bytes:,} B</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _x(operator: int) -> int:
    return _LEFT + _COLUMN * operator


def _y(offset_bytes: int, arena_bytes: int) -> float:
    return _TOP + _HEIGHT * (1 - offset_bytes / arena_bytes)


def _axis(arena_bytes: int, width: int) -> list[str]:
    """Ticks at round numbers of bytes: at most eight."""
    step = next(2**power for power in range(40) if arena_bytes <= 8 * 2**power)
    parts = [f'<line class="axis" x1="{_LEFT}" x2="{_LEFT}" y1="{_TOP}" y2="{_TOP + _HEIGHT}"/>']
    for tick in range(0, arena_bytes + 1, step):
        y = _y(tick, arena_bytes)
        parts.append(f'<line class="axis" x1="{_LEFT - 4}" x2="{_LEFT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="end" x="{_LEFT - 8}" y="{y + 3:.1f}">{tick:,}</text>')
    parts.append(f'<line class="axis" x1="{_LEFT}" x2="{width - _RIGHT}" y1="{_TOP + _HEIGHT}" y2="{_TOP + _HEIGHT}"/>')
    return parts


def _share(share: ArenaShareRecord, arena_bytes: int, end: int) -> list[str]:
    """The name of a region beside its part, and a line between it and the one below."""
    bottom, middle = (
        _y(offset, arena_bytes) for offset in (share.offset_bytes, share.offset_bytes + share.size_bytes // 2)
    )
    line = f'<line class="peak" x1="{_LEFT}" x2="{end}" y1="{bottom:.1f}" y2="{bottom:.1f}"/>'
    text = f"{share.region} {share.size_bytes:,} B"
    return [
        *([line] if share.offset_bytes else []),
        f'<text class="size" x="{end + 6}" y="{middle + 3.5:.1f}">{escape(text)}</text>',
    ]


def _rectangle(buffer: ArenaBufferRecord, arena_bytes: int, fill: str) -> str:
    top = _y(_end(buffer), arena_bytes)
    height = _HEIGHT * buffer.size_bytes / arena_bytes
    width = _COLUMN * (buffer.last - buffer.first + 1)
    told = f"{buffer.name}: {buffer.size_bytes:,} B at {buffer.offset_bytes:,} to {_end(buffer):,}"
    return (
        f'<rect class="buffer" x="{_x(buffer.first)}" y="{top:.1f}" width="{width}" height="{max(height, 0.8):.1f}"'
        f' fill="{fill}"><title>{escape(told)}</title></rect>'
    )


def _label(buffer: ArenaBufferRecord, arena_bytes: int, columns: int) -> list[str]:
    """Name and size, as far as there is room for them."""
    height = _HEIGHT * buffer.size_bytes / arena_bytes
    room = int((_COLUMN * columns - 6) / _CHARACTER)
    if not buffer.tensors or height < _LINE:
        return []
    lines = [_shortened(buffer.name, room), f"{buffer.size_bytes:,} B"][: 2 if height >= 2 * _LINE else 1]
    middle = _y(_end(buffer), arena_bytes) + height / 2 + 3.5 - _LINE / 2 * (len(lines) - 1)
    return [
        f'<text class="in" x="{_x(buffer.first) + 4}" y="{middle + _LINE * row:.1f}">{escape(line)}</text>'
        for row, line in enumerate(lines)
    ]


def _clear_columns(buffer: ArenaBufferRecord, others: list[ArenaBufferRecord]) -> int:
    """Columns from its first on that no later buffer covers."""
    covered = [
        other.first
        for other in others
        if other.first > buffer.first
        and other.offset_bytes < _end(buffer)
        and buffer.offset_bytes < _end(other)
        and other.first <= buffer.last
    ]
    return min([buffer.last + 1, *covered]) - buffer.first


def _end(buffer: ArenaBufferRecord) -> int:
    return buffer.offset_bytes + buffer.size_bytes


def _shortened(name: str, room: int) -> str:
    return name if len(name) <= room else f"{name[: max(1, room - 1)]}…"


def _operator_name(index: int, name: str, is_peak: bool) -> str:
    x, y = _x(index) + _COLUMN // 2 + 3, _TOP + _HEIGHT + 12
    style = ' class="end peakname"' if is_peak else ' class="end"'
    return f'<text{style} x="{x}" y="{y}" transform="rotate(-45 {x} {y})">{escape(_shortened(name, 30))}</text>'
