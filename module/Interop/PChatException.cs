using System;
using System.Management.Automation;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Interop
{
    /// <summary>An error of the library as an exception; code, SQL Server's number, step and run are properties.</summary>
    public sealed class PChatException : Exception
    {
        public PChatException(ErrorDocument error)
            : base(error.Message)
        {
            Error = error;
        }

        /// <summary>The whole of it.</summary>
        public ErrorDocument Error { get; private set; }

        public int Code
        {
            get { return Error.Code; }
        }

        public int ExitCode
        {
            get { return Error.ExitCode; }
        }

        /// <summary>SQL Server's own number, where SQL Server spoke.</summary>
        public long? SqlNumber
        {
            get { return Error.SqlError == null ? (long?)null : Error.SqlError.Number; }
        }

        public string Step
        {
            get { return Error.Step; }
        }

        public string RunId
        {
            get { return Error.RunId; }
        }

        /// <summary>The error as the shell shows it: id, category, target, and what to do next.</summary>
        internal ErrorRecord ToErrorRecord(object target)
        {
            ErrorCategory category;
            if (!Enum.TryParse(Error.Category, out category))
            {
                category = ErrorCategory.NotSpecified;
            }
            object about = string.IsNullOrEmpty(Error.Target) ? target : Error.Target;
            var record = new ErrorRecord(this, Error.Id, category, about);
            record.ErrorDetails = new ErrorDetails(Error.Message) { RecommendedAction = Error.RecommendedAction };
            return record;
        }
    }
}
