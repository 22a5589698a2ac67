"""What people do with an environment between its deployments: look, touch, scale, log in, adopt."""
