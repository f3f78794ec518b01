"""What others would use in our place, tuned as its documentation says; none of it is ours."""
