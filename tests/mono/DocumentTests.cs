using System;
using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Tests
{
    [Tests]
    internal static class DocumentTests
    {
        private const string Summary =
            "{\"sql_instance\":\"B\\\\RTC\",\"database\":\"mgc\",\"pool_fqdn\":null,\"verdict\":\"complete\",\"text\":\"\"," +
            "\"needed\":3,\"not_copied\":1,\"redo_point_lsn\":\"9999999999999999999999999\",\"end_lsn\":null}";

        private static LogChainSummary Read(string text)
        {
            return Document.Read<LogChainSummary>(Json.Read(text));
        }

        public static void AWholeDocumentIsRead()
        {
            LogChainSummary read = Read(Summary);
            Check.Equal("B\\RTC", read.SqlInstance);
            Check.Equal(9999999999999999999999999m, read.RedoPointLsn);
            Check.Equal(null, read.EndLsn);
            Check.Equal(3, read.Needed);
        }

        public static void AMissingMemberIsRefusedByName()
        {
            var e = Check.Throws<FormatException>(() => Read(Summary.Replace("\"needed\":3,", string.Empty)));
            Check.Contains("needed", e.Message);
        }

        public static void AnUnknownMemberIsRefusedByName()
        {
            var e = Check.Throws<FormatException>(() => Read(Summary.Replace("\"needed\":3", "\"needed\":3,\"surplus\":1")));
            Check.Contains("surplus", e.Message);
        }

        public static void AMemberOfAnotherTypeIsRefused()
        {
            Check.Throws<FormatException>(() => Read(Summary.Replace("\"needed\":3", "\"needed\":\"3\"")));
            Check.Throws<FormatException>(() => Read(Summary.Replace("\"needed\":3", "\"needed\":null")));
            Check.Throws<FormatException>(() => Read(Summary.Replace("\"needed\":3", "\"needed\":30000000000")));
            Check.Throws<FormatException>(() => Read(Summary.Replace("\"mgc\"", "7")));
            Check.Throws<FormatException>(() => Read(Summary.Replace("\"9999999999999999999999999\"", "\"-1\"")));
            Check.Throws<FormatException>(() => Read("[]"));
        }

        public static void TimesAreUtcInAnyTimeZone()
        {
            var loss = Document.Read<Loss>(Json.Read(
                "{\"recovered_to_lsn\":null,\"recovered_to_utc\":\"2026-03-14T02:15:00Z\",\"outage_utc\":null,\"lost_seconds\":5," +
                "\"must_be_accepted\":false,\"accept_value\":null,\"text\":\"t\"}"));
            Check.Equal(DateTimeKind.Utc, loss.RecoveredToUtc.Value.Kind);
            Check.Equal(new DateTime(2026, 3, 14, 2, 15, 0), loss.RecoveredToUtc.Value);
            Check.Equal("2026-03-14T02:15:00Z", Document.Write(loss.RecoveredToUtc.Value));
        }

        public static void NamesFollowOneRule()
        {
            Check.Equal("redo_point_lsn", Document.MemberName("RedoPointLsn"));
            Check.Equal("sql_instance", Document.MemberName("SqlInstance"));
        }

        public static void AnErrorKeepsItsParts()
        {
            var error = ErrorDocument.Read(
                "{\"code\":4002,\"id\":\"LogBackupMissing\",\"category\":\"InvalidData\",\"message\":\"PCHAT4002: gone\"," +
                "\"unchanged\":\"Nothing\",\"recommended_action\":\"Copy it\",\"target\":\"B\\\\RTC\",\"step\":\"gate\"," +
                "\"run_id\":\"r1\",\"exit_code\":3,\"sql_error\":{\"number\":4305,\"severity\":16,\"state\":1,\"line\":1," +
                "\"server\":\"B\",\"procedure\":\"\",\"message\":\"too recent\"}}");
            var exception = new PChatException(error);
            ErrorRecord record = exception.ToErrorRecord("other");
            Check.Equal("LogBackupMissing", record.FullyQualifiedErrorId);
            Check.Equal(ErrorCategory.InvalidData, record.CategoryInfo.Category);
            Check.Equal("B\\RTC", record.TargetObject);
            Check.Equal("Copy it", record.ErrorDetails.RecommendedAction);
            Check.Equal(4305L, exception.SqlNumber);
            Check.Equal("gate", exception.Step);
            Check.Equal("r1", exception.RunId);
            Check.Equal(3, exception.ExitCode);
        }

        public static void AnUnreadableErrorIsOneOfOurs()
        {
            ErrorDocument error = ErrorDocument.Read("{\"code\":4002}");
            Check.Equal(9001, error.Code);
            Check.Equal(1, error.ExitCode);
            Check.Contains("PCHAT9001", error.Message);
        }

        public static void AResultWithoutAnErrorThatEndedBadlyGetsOne()
        {
            RunResult result = RunResult.Begun("copy", "B\\RTC", "mgc", null);
            result.ExitCode = 4;
            result.Text = "half done";
            Check.Equal(4, ErrorDocument.OfOutcome(result).ExitCode);
            Check.Contains("half done", ErrorDocument.OfOutcome(result).Message);
        }

        public static void AFailureNeverEndsAsDone()
        {
            RunResult result = RunResult.Begun("copy", "B\\RTC", "mgc", null)
                .Failed(new ErrorDocument { Code = 1001, Id = "x", Message = "m", ExitCode = 0 });
            Check.Equal(1, result.ExitCode);
            Check.Equal("failed", result.Outcome);
        }
    }
}
