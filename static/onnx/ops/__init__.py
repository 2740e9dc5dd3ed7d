"""How each op is said in ONNX's words, by family, as in `shared.ops`; `static.onnx.table` joins them."""
