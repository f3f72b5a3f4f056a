{{ user_events_select() }}
