"""What tests share: real services, factories, and waiting for something with a deadline."""
