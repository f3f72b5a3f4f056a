// What a BI tool does through clickhouse-jdbc. Arguments: class of the driver, URL, password, table,
// then name=value properties of the driver. Prints one line a finding.

import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.Driver;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;

public class Jdbc {
  public static void main(String[] arguments) throws Exception {
    Properties properties = new Properties();
    properties.setProperty("user", "default");
    properties.setProperty("password", arguments[2]);
    String table = arguments[3];
    for (int at = 4; at < arguments.length; at++) {
      String[] pair = arguments[at].split("=", 2);
      properties.setProperty(pair[0], pair[1]);
    }
    Driver driver = (Driver) Class.forName(arguments[0]).getDeclaredConstructor().newInstance();
    try (Connection connection = driver.connect(arguments[1], properties)) {
      try (Statement statement = connection.createStatement()) {
        System.out.println("version " + connection.getMetaData().getDatabaseProductVersion());
        statement.execute(
            "CREATE TABLE " + table + " (id UInt64, text String, score Float64, day Date)"
                + " ENGINE = MergeTree ORDER BY id");
        statement.executeUpdate("INSERT INTO " + table + " VALUES (1, 'it''s; ', 0.5, '2026-01-01')");
        prepared(connection, table);
        batch(connection, table);
        ResultSet counted = statement.executeQuery(
            "SELECT count(), uniqExact(id), sum(length(text)) FROM " + table);
        counted.next();
        System.out.println(
            "rows " + counted.getLong(1) + " " + counted.getLong(2) + " " + counted.getLong(3));
        large(statement);
        failing(statement);
      }
      metadata(connection, table);
    }
  }

  private static void prepared(Connection connection, String table) throws SQLException {
    String insert = "INSERT INTO " + table + " (id, text, score, day) VALUES (?, ?, ?, ?)";
    try (PreparedStatement statement = connection.prepareStatement(insert)) {
      statement.setLong(1, 2);
      statement.setString(2, "two;\n");
      statement.setDouble(3, 2.5);
      statement.setDate(4, java.sql.Date.valueOf("2026-01-02"));
      System.out.println("prepared " + statement.executeUpdate());
    }
    String query = "SELECT text, day FROM " + table + " WHERE id = ?";
    try (PreparedStatement statement = connection.prepareStatement(query)) {
      statement.setLong(1, 2);
      ResultSet result = statement.executeQuery();
      result.next();
      System.out.println("selected " + result.getString(1).length() + " " + result.getDate(2));
    }
  }

  private static void batch(Connection connection, String table) throws SQLException {
    String insert = "INSERT INTO " + table + " (id, text, score, day) VALUES (?, ?, ?, ?)";
    try (PreparedStatement statement = connection.prepareStatement(insert)) {
      for (int row = 0; row < 20_000; row++) {
        statement.setLong(1, 1_000 + row);
        statement.setString(2, "text of row " + row);
        statement.setDouble(3, row / 2.0);
        statement.setDate(4, java.sql.Date.valueOf("2026-01-03"));
        statement.addBatch();
      }
      System.out.println("batch " + statement.executeBatch().length);
    }
  }

  private static void large(Statement statement) throws SQLException {
    ResultSet result = statement.executeQuery(
        "SELECT number, toString(number) FROM numbers(500000)");
    long sum = 0;
    while (result.next()) {
      sum += result.getLong(1) + result.getString(2).length();
    }
    System.out.println("large " + sum);
  }

  private static void failing(Statement statement) {
    try {
      statement.executeQuery("SELECT * FROM no_such_table");
      System.out.println("failing answered");
    } catch (SQLException error) {
      System.out.println("failing " + error.getMessage().contains("UNKNOWN_TABLE"));
    }
  }

  private static void metadata(Connection connection, String table) throws SQLException {
    DatabaseMetaData metadata = connection.getMetaData();
    int columns = 0;
    try (ResultSet tables = metadata.getTables(null, "default", table, null)) {
      while (tables.next()) {
        System.out.println("table " + tables.getString("TABLE_NAME").equals(table));
      }
    }
    try (ResultSet found = metadata.getColumns(null, "default", table, "%")) {
      while (found.next()) {
        columns++;
      }
    }
    System.out.println("columns " + columns);
  }
}
