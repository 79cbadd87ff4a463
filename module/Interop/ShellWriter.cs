using System;
using System.Collections.Generic;
using System.Management.Automation;

namespace PersistentChatFailover.Interop
{
    /// <summary>Writes to the shell from the pipeline thread, and says nothing once the shell is stopping.</summary>
    internal sealed class ShellWriter
    {
        private const int ActivityId = 0x5043;
        private const string DefaultActivity = "Persistent Chat";

        private readonly PSCmdlet cmdlet;
        private readonly Func<bool> stopping;
        private readonly Action stop;
        private string activity;
        private string status;
        private int parts;

        internal ShellWriter(PSCmdlet cmdlet, Func<bool> stopping, Action stop)
        {
            this.cmdlet = cmdlet;
            this.stopping = stopping;
            this.stop = stop;
        }

        /// <summary>After a stop every Write* throws: then it is over, even where StopProcessing has yet to come.</summary>
        private void Write(Action write)
        {
            if (stopping())
            {
                return;
            }
            try
            {
                write();
            }
            catch (PipelineStoppedException)
            {
                stop();
            }
        }

        internal void Output(object item)
        {
            Write(() => cmdlet.WriteObject(item));
        }

        internal void Message(string level, string text)
        {
            switch (level)
            {
                case "warning":
                    if (stopping())
                    {
                        TellHost(text);
                    }
                    else
                    {
                        Write(() => cmdlet.WriteWarning(text));
                    }
                    break;
                case "verbose":
                    Write(() => cmdlet.WriteVerbose(text));
                    break;
                default:
                    Write(() => cmdlet.WriteDebug(text));
                    break;
            }
        }

        /// <summary>A line on the screen itself: the only way left after a stop.</summary>
        internal void TellHost(string text)
        {
            try
            {
                cmdlet.Host.UI.WriteWarningLine(text);
            }
            catch (Exception e)
            {
                // A host without a screen has nobody to tell; the journal holds the state.
                System.Diagnostics.Debug.WriteLine(e);
            }
        }

        internal void Progress(Dictionary<string, object> progress)
        {
            activity = NotEmpty((string)progress["activity"], DefaultActivity);
            string now = NotEmpty((string)progress["status"], "working");
            if (now != status)
            {
                status = now;
                Message("verbose", activity + ": " + now);
            }
            var record = new ProgressRecord(ActivityId, activity, now);
            record.CurrentOperation = (string)progress["operation"];
            record.PercentComplete = progress["percent"] == null ? -1 : Math.Min(100, Whole(progress["percent"]));
            record.SecondsRemaining = progress["seconds_remaining"] == null ? -1 : Whole(progress["seconds_remaining"]);
            Write(() => cmdlet.WriteProgress(record));
            Parts((List<object>)progress["parts"]);
        }

        /// <summary>What goes on side by side: a bar each, below the one of the whole.</summary>
        private void Parts(List<object> now)
        {
            for (int i = 0; i < now.Count; i++)
            {
                var part = (Dictionary<string, object>)now[i];
                ProgressRecord record = PartRecord(i, NotEmpty((string)part["activity"], activity), NotEmpty((string)part["status"], "working"));
                record.PercentComplete = part["percent"] == null ? -1 : Math.Min(100, Whole(part["percent"]));
                Write(() => cmdlet.WriteProgress(record));
            }
            for (int i = now.Count; i < parts; i++)
            {
                ProgressRecord record = PartRecord(i, activity, "done");
                record.RecordType = ProgressRecordType.Completed;
                Write(() => cmdlet.WriteProgress(record));
            }
            parts = now.Count;
        }

        private static ProgressRecord PartRecord(int number, string activity, string status)
        {
            return new ProgressRecord(ActivityId + 1 + number, activity, status) { ParentActivityId = ActivityId };
        }

        /// <summary>Takes the bar away, where one was shown.</summary>
        internal void EndProgress()
        {
            if (activity == null)
            {
                return;
            }
            Parts(new List<object>());
            var record = new ProgressRecord(ActivityId, activity, "done") { RecordType = ProgressRecordType.Completed };
            activity = null;
            Write(() => cmdlet.WriteProgress(record));
        }

        private static int Whole(object number)
        {
            return (int)Math.Min((decimal)number, int.MaxValue);
        }

        private static string NotEmpty(string text, string fallback)
        {
            return string.IsNullOrEmpty(text) ? fallback : text;
        }
    }
}
