"""The engine k6: k6 beside this program, a script that carries out the plan, and its records made samples."""
