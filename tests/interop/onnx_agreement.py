"""ONNX files beside fer: python onnx_agreement.py FOLDER

Each file passes ONNX's checker with full_check and strict shape inference, says of itself what its
model file says, and agrees in onnxruntime with fer on every picture. Then its tensors are changed one
by one and its ReLUs taken out: each change must be noticed by the same comparison. Prints JSON and
exits with 1 where anything is not so.
"""

import json
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from safetensors import safe_open

from agreement import Comparison, Exchange

OPSET = 17
OPERATORS = {"Cast", "Div", "Conv", "Relu", "MaxPool", "Add", "Mul", "Sigmoid", "GlobalAveragePool",
             "Flatten", "Gemm", "Softmax"}
# What two and ten test-time views are made of besides; between the first and the last the batch is as many times
# as long.
FLIPS = {"Gather", "Concat", "Split"}
TEN = FLIPS | {"Reshape", "ReduceMean", "Transpose"}
PROBABILITY_TOLERANCE = 1e-5
# Networks whose changes are tried, on so many pictures.
CHANGED, FEW = ["built-in", "cnn", "mobile-squeezed", "stack"], 100


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    # A ReLU less or a tensor of zeros is nothing to warn of here.
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def check_form(model):
    """What must be so of the file itself."""
    onnx.checker.check_model(model, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    values = {value.name: value for value in inferred.graph.value_info}
    kinds = [node.op_type for node in model.graph.node]
    doubled = kinds.index("Concat") if "Concat" in kinds else len(kinds) - 1
    for node in model.graph.node[:doubled]:
        dims = values[node.output[0]].type.tensor_type.shape.dim if node.output[0] in values else None
        check(dims is None or dims[0].dim_param == "batch", f"{node.name}: the batch is lost")
    check([(o.domain, o.version) for o in model.opset_import] == [("", OPSET)], "another opset")
    check(set(kinds) - OPERATORS in (set(), FLIPS, TEN), "an operator that is not documented")
    [pictures] = model.graph.input
    dims = pictures.type.tensor_type.shape.dim
    check(pictures.name == "pictures" and pictures.type.tensor_type.elem_type == onnx.TensorProto.UINT8
          and [dim.dim_param or dim.dim_value for dim in dims] == ["batch", 1, 48, 48], "another input")
    check([output.name for output in model.graph.output] == ["logits", "probabilities"], "other outputs")
    check(all(output.type.tensor_type.shape.dim[0].dim_param == "batch" for output in model.graph.output),
          "the outputs' batch is lost")
    check(model.producer_name == "fer-model" and model.producer_version, "no producer")


def check_metadata(model, run, path):
    """The file's own words, beside those of the model file at `path`, where there is one."""
    found = {entry.key: entry.value for entry in model.metadata_props}
    classes = json.loads(found["classes"])
    check(len(classes) == run.get_outputs()[0].shape[1], "classes and outputs differ in number")
    if not path.exists():
        return
    with safe_open(path, "numpy") as file:
        description = json.loads(file.metadata()["fer"])
    check(json.loads(found["fer"]) == description, "another description")
    check(classes == description["classes"], "other classes")
    temperature = description.get("calibration", {"temperature": 1.0})["temperature"]
    check(float(found["temperature"]) == temperature, "another temperature")
    check("uint8" in found["preprocessing"] and "BT.601" in found["preprocessing"], "no preprocessing")


def check_answers(run, exchange, name):
    """(comparison of all logits, greatest difference of the probabilities)."""
    logits, probabilities = exchange.answers(name)
    answers = run.run(None, {"pictures": exchange.pictures})
    for size in (1, 7):
        few = run.run(["logits"], {"pictures": exchange.pictures[:size]})[0]
        check(np.abs(few - answers[0][:size]).max() < 1e-5, f"{size} pictures are answered otherwise than many")
    try:
        run.run(None, {"pictures": exchange.pictures[:1].astype(np.float32) / 255})
    except onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument:
        pass
    else:
        raise AssertionError("values from 0 to 1 are taken")
    far = float(np.abs(answers[1] - probabilities).max())
    check(far <= PROBABILITY_TOLERANCE, f"probabilities are {far:.1e} away")
    return Comparison(answers[0], logits), far


def changes(model):
    """(what was changed, changed models) for every tensor and every ReLU.

    Of a tensor one of the largest values is changed, one after the other, for a single one may belong to a
    unit that no picture wakes."""
    copied = lambda: onnx.ModelProto.FromString(model.SerializeToString())

    def with_value(place, tensor, rank):
        changed, values = copied(), numpy_helper.to_array(tensor).copy()
        flat = values.reshape(-1)
        at = np.argsort(-np.abs(flat))[rank]
        flat[at] = flat[at] * 1.5 + 0.05
        changed.graph.initializer[place].CopyFrom(numpy_helper.from_array(values, tensor.name))
        return changed

    def without(place):
        changed = copied()
        changed.graph.node[place].op_type = "Identity"
        return changed

    for place, tensor in enumerate(model.graph.initializer):
        ranks = range(min(8, int(np.prod(tensor.dims))))
        yield tensor.name, (with_value(place, tensor, rank) for rank in ranks)
    for place, node in enumerate(model.graph.node):
        if node.op_type == "Relu":
            yield node.name, (without(place) for _ in range(1))


def unnoticed(model, exchange, name):
    """(how many changes were tried, those that the comparison does not notice)."""
    logits, probabilities = (answers[:FEW] for answers in exchange.answers(name))
    tried, missed = 0, []

    def agrees(changed):
        found = session(changed).run(None, {"pictures": exchange.pictures[:FEW]})
        far = np.abs(found[1] - probabilities).max()
        return Comparison(found[0], logits).agrees and far <= PROBABILITY_TOLERANCE

    for what, changed in changes(model):
        tried += 1
        if all(map(agrees, changed)):
            missed.append(what)
    return tried, missed


def main(folder):
    exchange, rows, faults = Exchange(folder), [], []
    for path in sorted(exchange.folder.glob("*.onnx")):
        name = path.stem
        try:
            model = onnx.load(path)
            check_form(model)
            run = session(model)
            check_metadata(model, run, path.with_suffix(".safetensors"))
            comparison, far = check_answers(run, exchange, name)
            row = comparison.row("onnxruntime", name) | {"probabilities": far}
            if name in CHANGED:
                row["changes"], missed = unnoticed(model, exchange, name)
                check(not missed, f"changes that nothing notices: {missed}")
            rows.append(row)
            check(row["agrees"], f"{row['difference']:.1e} away, {row['other_classes']} other classes")
        except Exception as fault:
            faults.append(f"{name}: {fault}")
    versions = {"onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__, "numpy": np.__version__}
    print(json.dumps({"versions": versions, "rows": rows, "faults": faults}))
    return 1 if faults or not rows else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
