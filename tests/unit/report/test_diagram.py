"""A network as a picture, on a terminal and on a page."""

from __future__ import annotations

from xml.etree import ElementTree

from afield.report.diagram import lines, svg
from afield.report.model import LayerRow

CHAIN = [
    LayerRow(layer="Dense", name="dense_1", output_shape="(rows, 512)", parameters=1_234_000, follows=["text"]),
    LayerRow(layer="Dropout", name="dropout_2", output_shape="(rows, 512)", parameters=0, follows=["dense_1"]),
]
JOINED = [
    LayerRow(layer="InputLayer", name="a", output_shape="(rows, 2)", parameters=0),
    LayerRow(layer="InputLayer", name="b", output_shape="(rows, 3)", parameters=0),
    LayerRow(layer="Dense", name="wide", output_shape="(rows, 4)", parameters=16, follows=["b"]),
    LayerRow(layer="Concatenate", name="<both>", output_shape="(rows, 6)", parameters=0, follows=["a", "wide"]),
]


def test_boxes_of_a_chain_are_joined() -> None:
    assert lines(CHAIN) == [
        "┌────────────────────────────────────────────┐",
        "│ Dense    dense_1    (rows, 512)  1,234,000 │",
        "└───┬────────────────────────────────────────┘",
        "┌───┴────────────────────────────────────────┐",
        "│ Dropout  dropout_2  (rows, 512)          0 │",
        "└────────────────────────────────────────────┘",
        "1,234,000 parameters in all",
    ]


def test_boxes_that_read_nothing_of_each_other_are_not() -> None:
    drawn = lines(JOINED)
    assert "┬" not in drawn[2]
    assert "┬" in drawn[5]
    assert lines([]) == ["0 parameters in all"]


def test_the_picture_has_a_box_a_layer_and_an_arrow_for_what_it_reads() -> None:
    space = "{http://www.w3.org/2000/svg}"
    drawn = ElementTree.fromstring(svg(JOINED).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))
    boxes = drawn.findall(f"{space}rect")
    assert len(boxes) == 4
    assert len([path for path in drawn.findall(f"{space}path") if path.get("class") == "wire"]) == 3
    across = [int(box.get("x", 0)) for box in boxes]
    down = [int(box.get("y", 0)) for box in boxes]
    assert down[0] == down[1] < down[2] < down[3]
    assert across[0] < across[1]
    assert "<both>" not in svg(JOINED)
