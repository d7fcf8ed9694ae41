import json

import pytest
import records

from backprop.errors import BackpropError
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


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"confusion": [[1]]}, "the confusion matrix is not 10 × 10"),
        ({"confusion": [[0] * 10] * 10}, "the confusion matrix does not sum to the number of images"),
        ({"correct": 3}, "the confusion matrix does not agree with the number of correct answers"),
        ({"misclassified": []}, "the misclassified images are not all there"),
        ({"parameters": 15_661}, "the layers' parameters do not sum to the network's"),
        ({"loss": -0.1}, "impossible numbers"),
        ({"accuracy": 7.0}, "impossible numbers"),
        ({"accuracy": 0.9959}, "the accuracy does not agree with the number of correct answers"),
        ({"samples": []}, "the samples are not of all ten digits"),
    ],
)
def test_an_impossible_evaluation_is_damaged(output, fields, reason):
    change(output / "mnist" / "evaluation.json", **fields)
    assert f"is damaged ({reason})" in refusal(output)


def test_a_loss_that_is_no_number_is_damaged(output):
    change(output / "mnist" / "evaluation.json", loss=float("nan"))
    assert "is damaged" in refusal(output)


@pytest.mark.parametrize("images", ["misclassified", "samples"])
@pytest.mark.parametrize(
    "spoilt",
    [
        {"true": 11},
        {"predicted": -1},
        {"pixels": "AAAA"},
        {"pixels": "no base64!"},
        {"probabilities": [0.1] * 9},
        {"probabilities": [1.1] + [0.0] * 9},
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


def test_weights_that_are_not_the_network_say_why(output):
    change(output / "mnist" / "weights.json", epsilon=-1)
    assert "impossible constants" in refusal(output)
    change(output / "mnist" / "weights.json", epsilon=1e-5, tensors={})
    message = refusal(output)
    assert "no tensor conv1.weight" in message
    assert "make report" in message


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


def test_impossible_epochs_are_damaged(output):
    epochs = json.loads((output / "mnist" / "history.json").read_text())["epochs"]
    change(output / "mnist" / "history.json", epochs=[epochs[0] | {"test_loss": float("inf")}, *epochs[1:]])
    assert "epoch 1" in refusal(output)
