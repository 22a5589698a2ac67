"""Everything that touches the world: processes, SSH, the host agent, registries, builders."""
