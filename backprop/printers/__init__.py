"""One printer per target language: sympy expression in, text out."""
