"""What passes through the residual stream: attention, logit lens, direct logit attribution."""
