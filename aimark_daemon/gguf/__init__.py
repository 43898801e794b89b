"""GGUF: the container that language models come in, read without loading the model."""
