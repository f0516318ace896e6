"""The questions that the browser asks: routes on the library, without Streamlit."""
