using System;
using System.Management.Automation;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Interop
{
    /// <summary>An error of the library as an exception; code, SQL Server's number, step and run are properties.</summary>
    public sealed class PChatException : Exception
    {
        /// <summary>The code of a fault in our own code.</summary>
        internal const int InternalFault = 9001;

        /// <summary>The code for an assembly and a library that do not fit each other, or do not load.</summary>
        internal const int LibraryMismatch = 1006;

        public PChatException(ErrorDocument error)
            : base(error.Message)
        {
            Error = error;
        }

        private PChatException(ErrorDocument error, Exception inner)
            : base(error.Message, inner)
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

        public string RecommendedAction
        {
            get { return Error.RecommendedAction; }
        }

        /// <summary>An error that this side found, with the code and the three parts of every error.</summary>
        internal static PChatException Of(int code, string id, ErrorCategory category, int exitCode, string happened, string next)
        {
            return Of(code, id, category, exitCode, happened, next, null);
        }

        private static PChatException Of(
            int code, string id, ErrorCategory category, int exitCode, string happened, string next, Exception inner)
        {
            var error = new ErrorDocument
            {
                Code = code,
                Id = id,
                Category = category.ToString(),
                Message = "PCHAT" + code + ": " + happened + " " + next,
                Unchanged = string.Empty,
                RecommendedAction = next,
                Target = string.Empty,
                ExitCode = exitCode,
            };
            return new PChatException(error, inner);
        }

        /// <summary>The library cannot be loaded, or is of another release.</summary>
        internal static PChatException NotLoaded(Exception why)
        {
            string next = why is PlatformNotSupportedException
                ? "Open the 64-bit Lync Server Management Shell or the 64-bit PowerShell."
                : "Install the module again, as one package, and open a new shell.";
            return Of(LibraryMismatch, "LibraryMismatch", ErrorCategory.InvalidOperation, 2, why.Message, next, why);
        }

        /// <summary>A value of the call that cannot be used.</summary>
        internal static PChatException BadValue(string happened, string next)
        {
            return Of(1002, "InvalidValue", ErrorCategory.InvalidArgument, 2, happened, next);
        }

        /// <summary>Runs our own code: whatever goes wrong in it becomes an error with a code, and the shell lives on.</summary>
        internal static T Guarded<T>(Func<T> work)
        {
            try
            {
                return work();
            }
            catch (Exception e) when (!(e is PChatException) && !(e is PipelineStoppedException))
            {
                throw Fault(e);
            }
        }

        /// <summary>A fault in our own code, found by <paramref name="why"/>.</summary>
        internal static PChatException Fault(Exception why)
        {
            return Of(InternalFault, "InternalFault", ErrorCategory.NotSpecified, 1, why.Message,
                "Run Get-PChatRun to see the state. Please report this message.", why);
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
