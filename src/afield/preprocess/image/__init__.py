"""Images to arrays of numbers: encoded files, lists of pixels, or a column a pixel."""
