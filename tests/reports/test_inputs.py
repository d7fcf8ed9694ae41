import json
from dataclasses import asdict

import pytest
import records

from backprop.errors import BackpropError
from backprop.network import build_network
from backprop.networks.presets import PRESETS
from backprop.records import write_record
from reports.inputs import read_inputs


def change(path, **fields):
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def refusal(output):
    with pytest.raises(BackpropError) as caught:
        read_inputs(output)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_records_are_read(output):
    inputs = read_inputs(output)
    assert inputs.history == records.history()
    assert inputs.evaluation == records.evaluation()
    assert inputs.weights == records.weights()


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("backprop.xlsx", "make workbook"),
        ("backprop.json", "make workbook"),
        ("mnist/history.json", "make train"),
        ("mnist/model.pt", "make train"),
        ("mnist/evaluation.json", "make report"),
        ("mnist/weights.json", "make report"),
    ],
)
def test_a_missing_file_names_the_target_that_writes_it(output, name, target):
    (output / name).unlink()
    message = refusal(output)
    assert target in message
    assert str(output / name) in message


@pytest.mark.parametrize(("preset", "rate"), [("class", 1.0), ("class", 0.5), ("class-0.01-0.99", 2.0), ("mazur", 0.5)])
def test_network_and_learning_rate_are_those_of_the_workbooks_record(output, preset, rate):
    records.write_stand_in(output, preset, learning_rate=rate)
    workbook = read_inputs(output).workbook
    assert (workbook.preset, workbook.learning_rate, workbook.resaved) == (PRESETS[preset], rate, False)


def test_a_workbook_that_another_program_has_saved_may_be_handed_in(output):
    (output / "backprop.xlsx").write_bytes(b"saved by another program")
    assert read_inputs(output).workbook.resaved


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"as_taught": True}, "repeats the class sheet's slip"),
        ({"iterations": 20}, "has 20 iterations, and the page 68"),
        ({"network": build_network((3, 4, 2))}, "has a network or values that no shipped one has"),
        ({"values": {**PRESETS["class"].values, "w1": 0.16}}, "has a network or values that no shipped one has"),
    ],
)
def test_a_workbook_that_the_page_is_not_about_is_refused(output, changes, reason):
    records.write_stand_in(output, **changes)
    message = refusal(output)
    assert reason in message
    assert "make workbook" in message


@pytest.mark.parametrize(
    ("name", "target"), [("history", "make train"), ("evaluation", "make report"), ("weights", "make report")]
)
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff\xfe", b"null", b"[" * 100_000])
def test_a_damaged_file_names_the_target_that_writes_it(output, name, target, content):
    (output / "mnist" / f"{name}.json").write_bytes(content)
    assert target in refusal(output)


def test_half_a_file_is_damaged(output):
    path = output / "mnist" / "evaluation.json"
    path.write_bytes(path.read_bytes()[:1000])
    assert "make report" in refusal(output)


@pytest.mark.parametrize("images", ["misclassified", "samples"])
@pytest.mark.parametrize(
    "spoilt",
    [
        {"true": 11},
        {"predicted": -1},
        {"pixels": "AAAA"},
        {"pixels": "no base64!"},
        {"probabilities": [0.1] * 9},
    ],
)
def test_one_impossible_image_is_named(output, images, spoilt):
    path = output / "mnist" / "evaluation.json"
    answers = json.loads(path.read_text())[images]
    answers[3] |= spoilt
    change(path, **{images: answers})
    assert f"is damaged (image {answers[3]['index']} is not what it should be)" in refusal(output)


def test_an_evaluation_from_before_there_were_samples_is_made_anew(output):
    path = output / "mnist" / "evaluation.json"
    content = json.loads(path.read_text())
    del content["samples"]
    path.write_text(json.dumps(content))
    assert "make report" in refusal(output)


def test_weights_of_another_checkpoint_are_refused(output):
    change(output / "mnist" / "weights.json", checkpoint_sha256="0" * 64)
    message = refusal(output)
    assert "not of the checkpoint" in message
    assert "make report" in message


@pytest.mark.parametrize(
    "tensor", [None, {"shape": [8], "data": "AAAA"}, {"shape": [9], "data": "no base64!"}, {"shape": [8], "data": "é"}]
)
def test_a_tensor_that_is_not_whole_is_named(output, tensor):
    path = output / "mnist" / "weights.json"
    tensors = json.loads(path.read_text())["tensors"] | {"conv1.bias": tensor}
    change(path, tensors={name: value for name, value in tensors.items() if value})
    message = refusal(output)
    assert "its tensor conv1.bias is not whole" in message
    assert "make report" in message


@pytest.mark.parametrize("part", ["norm5.running_var", "conv5.weight"])
def test_every_layer_needs_its_tensors(output, part):
    path = output / "mnist" / "weights.json"
    tensors = json.loads(path.read_text())["tensors"]
    del tensors[part]
    change(path, tensors=tensors)
    assert f"its tensor {part} is not whole" in refusal(output)


def test_the_tensors_asked_for_are_those_of_torchs_network(output):
    from mnist.evaluation import export_weights  # imports torch, which no other test here needs
    from mnist.model import ConvNet, layer_facts

    network = ConvNet()
    write_record(output / "mnist" / "weights.json", export_weights(network, records.evaluation().checkpoint_sha256))
    change(output / "mnist" / "evaluation.json", layers=[asdict(layer) for layer in layer_facts(network)])
    assert read_inputs(output).weights.tensors.keys() == records.weights().tensors.keys()


def test_a_changed_checkpoint_asks_for_a_new_evaluation(output):
    (output / "mnist" / "model.pt").write_bytes(b"another checkpoint")
    message = refusal(output)
    assert "changed since" in message
    assert "make report" in message


def test_an_evaluation_of_another_epoch_is_refused(output):
    change(output / "mnist" / "evaluation.json", epoch=3)
    assert "measures epoch 3" in refusal(output)


def test_a_run_on_held_out_images_is_no_result(output):
    change(output / "mnist" / "history.json", measured_on="held-out")
    assert "no result" in refusal(output)


def test_a_run_without_epochs_is_not_ready(output):
    change(output / "mnist" / "history.json", epochs=[])
    assert "make train" in refusal(output)


def test_an_impossible_recipe_is_damaged(output):
    path = output / "mnist" / "history.json"
    change(path, recipe=json.loads(path.read_text())["recipe"] | {"batch_size": 0})
    assert "is damaged (its recipe: --batch-size 0" in refusal(output)
