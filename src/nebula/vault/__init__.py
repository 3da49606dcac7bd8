"""The vault: the data owner's agent, on the owner's own machine; also the custodian's, for many owners."""
