"""The wrapper and further commands on the login node, shipped on first need: what looks at jobs and steers them."""
