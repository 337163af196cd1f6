"""What is done to training examples, and what is added to them."""
