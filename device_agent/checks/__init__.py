"""What `floorhub-agent doctor` looks at. Each check gives findings and never raises for what it looks for."""
