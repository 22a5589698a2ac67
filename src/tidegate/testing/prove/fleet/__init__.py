"""``prove fleet``: faults in controllers, hosts and the network between them, three hosts, load."""
