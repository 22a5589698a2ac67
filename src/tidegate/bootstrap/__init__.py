"""What a machine must have before Tidegate can use it: found out, judged, and put right."""
