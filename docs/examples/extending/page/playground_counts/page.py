"""Page Counts: how many states are right, answer by answer."""

import pandas as pd
import streamlit as st

from ui import client

asked = client.follow()
board = asked.model.board(asked.model.fit(asked.condition.interventions).applied)
st.markdown("#### In how many states is each answer right?")
st.dataframe(
    pd.DataFrame(
        {
            answer: {group: f"{right} of {of}" for group, (right, of) in tally.items()}
            for answer, tally in board.tally_by_answer.items()
        }
    ).T.rename(columns={"all": "all states", "seen": "seen states", "held_out": "held-out states"}),
)
