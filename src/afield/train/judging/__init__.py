"""What a trained model is worth: answers on the parts it never saw, beside those of simple models."""
