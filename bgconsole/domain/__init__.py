"""The world as frozen values, and the rules over them. Standard library only."""
