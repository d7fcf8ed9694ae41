"""The 15,662-parameter network of the assignment, trained on MNIST."""
