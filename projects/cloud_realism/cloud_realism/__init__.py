"""How close simulated clouds come to real ones."""
