"""What Podman's own Quadlet and systemd make of units, and how its result is read back."""
