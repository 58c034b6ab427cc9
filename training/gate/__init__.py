"""What a challenger must pass before it may be promoted: each test with its code, figure and bound."""
