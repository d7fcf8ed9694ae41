"""Facts about MNIST, and what the assignment requires of the network."""

IMAGE_SIZE = 28
"""Height and width of an image in pixels; the digit lies in the central 20 × 20."""
PIXELS = IMAGE_SIZE**2
CLASSES = 10
"""The digits 0 to 9."""
TRAINING_IMAGES = 60_000
PIXEL_MEAN, PIXEL_STD = 0.1307, 0.3081
"""Of the training images, pixels being fractions of 255, to the usual four digits."""

REQUIRED_ACCURACY = 0.994
"""On the test images after the last epoch, as a fraction."""
PARAMETER_LIMIT = 20_000
"""The network has fewer."""
EPOCH_LIMIT = 20
