"""AWS's wire protocols, server side: requests into plain values, plain values into replies."""
