"""What one browser tab has open. The only package that touches `st.session_state` and `st.query_params`."""
