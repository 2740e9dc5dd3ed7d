"""ONNX's words for our ops."""
