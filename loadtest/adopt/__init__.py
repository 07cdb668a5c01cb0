"""Another repository takes this project into use: what that needs to know, and what is written there."""
