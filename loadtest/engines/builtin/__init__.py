"""The engine of this project: a closed loop, or open loops whose arrivals wait for no answer."""
