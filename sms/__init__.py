"""Faden: a chat-style SMS platform; see DESIGN in ARCHITECTURE.md for the map."""
