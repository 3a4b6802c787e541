"""Networks that learn to tell states apart by distance: trained on triplets, answering with the nearest known state."""
