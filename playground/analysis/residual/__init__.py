"""What passes the residual stream: attention, logit lens, direct logit attribution."""
