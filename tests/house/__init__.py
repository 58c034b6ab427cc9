"""The project about itself: its shape, its docs, and that nothing leaves the machine."""
