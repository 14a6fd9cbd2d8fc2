"""The arena over time as SVG."""

from __future__ import annotations

from xml.etree import ElementTree

from sq_micro.board import ArenaRoom, Space
from sq_micro.plan.plan import make_plan
from sq_micro.report.plan_picture import plan_picture
from sq_micro.stages.operator_records import arena_plan_record
from tests.models.tiny_networks import ds_cnn

SVG = "{http://www.w3.org/2000/svg}"


def drawn(name: str = "ds_cnn") -> tuple[ElementTree.Element, int, int]:
    """The picture of DS-CNN, how many buffers it has and how large its arena is."""
    graph = ds_cnn()
    plan = make_plan(graph.topology, graph.bitwidths)
    text = plan_picture(arena_plan_record(graph.topology, graph.bitwidths, plan), plan.arena_bytes, name)
    return ElementTree.fromstring(text), len(plan.buffers), plan.arena_bytes


def test_each_buffer_is_a_rectangle_inside_the_arena() -> None:
    picture, buffers, _ = drawn()
    rectangles = [rect for rect in picture.iter(f"{SVG}rect") if rect.get("class") == "buffer"]
    (arena,) = [line for line in picture.iter(f"{SVG}line") if line.get("class") == "arena"]
    assert len(rectangles) == buffers
    assert min(float(rect.get("y", "0")) for rect in rectangles) >= float(arena.get("y1", "0"))
    told = [rect.findtext(f"{SVG}title") for rect in rectangles]
    assert "input: 490 B at" in str(told)


def test_the_fullest_operator_is_framed_and_the_size_is_said() -> None:
    picture, _, arena_bytes = drawn()
    (frame,) = [rect for rect in picture.iter(f"{SVG}rect") if rect.get("class") == "peak"]
    (name,) = [text for text in picture.iter(f"{SVG}text") if "peakname" in str(text.get("class"))]
    assert float(frame.get("x", "0")) < float(name.get("x", "0")) < float(frame.get("x", "0")) + 68
    assert f"arena {arena_bytes:,} B" in [text.text for text in picture.iter(f"{SVG}text")]


def test_regions_are_named_beside_their_parts() -> None:
    graph = ds_cnn()
    room = ArenaRoom(8_000, (Space("ccm", 8_000, 0), Space("sram", 9_000, 1)))
    plan = make_plan(graph.topology, graph.bitwidths, room=room)
    text = plan_picture(arena_plan_record(graph.topology, graph.bitwidths, plan), plan.arena_bytes, "ds_cnn")
    picture = ElementTree.fromstring(text)
    said = {text.text: float(text.get("y", "0")) for text in picture.iter(f"{SVG}text")}
    (border,) = [float(line.get("y1", "0")) for line in picture.iter(f"{SVG}line") if line.get("class") == "peak"]
    fast, slow = (said[f"{share.region} {share.size_bytes:,} B"] for share in plan.shares)
    assert slow < border < fast


def test_a_name_is_no_markup() -> None:
    picture, _, _ = drawn("<b>&net")
    assert picture.findtext(f"{SVG}title") == "<b>&net: the arena over time"
