"""What programs and people read: API, dashboards, reports. It writes nothing to the warehouse."""
