"""What may leave an enclave. Pure rules, in the order in which ``release`` applies them."""
