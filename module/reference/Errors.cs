using System;

namespace System.Management.Automation
{
    public enum ErrorCategory
    {
        NotSpecified,
        OpenError,
        CloseError,
        DeviceError,
        DeadlockDetected,
        InvalidArgument,
        InvalidData,
        InvalidOperation,
        InvalidResult,
        InvalidType,
        MetadataError,
        NotImplemented,
        NotInstalled,
        ObjectNotFound,
        OperationStopped,
        OperationTimeout,
        SyntaxError,
        ParserError,
        PermissionDenied,
        ResourceBusy,
        ResourceExists,
        ResourceUnavailable,
        ReadError,
        WriteError,
        FromStdErr,
        SecurityError,
        ProtocolError,
        ConnectionError,
        AuthenticationError,
        LimitsExceeded,
        QuotaExceeded,
        NotEnabled,
    }

    public class ErrorCategoryInfo
    {
        internal ErrorCategoryInfo(ErrorCategory category)
        {
            Category = category;
        }

        public ErrorCategory Category { get; private set; }
    }

    public class ErrorDetails
    {
        public ErrorDetails(string message)
        {
            Message = message;
        }

        public string Message { get; private set; }

        public string RecommendedAction { get; set; }
    }

    public class ErrorRecord
    {
        public ErrorRecord(Exception exception, string errorId, ErrorCategory errorCategory, object targetObject)
        {
            Exception = exception;
            FullyQualifiedErrorId = errorId;
            CategoryInfo = new ErrorCategoryInfo(errorCategory);
            TargetObject = targetObject;
        }

        public Exception Exception { get; private set; }

        public string FullyQualifiedErrorId { get; private set; }

        public ErrorCategoryInfo CategoryInfo { get; private set; }

        public object TargetObject { get; private set; }

        public ErrorDetails ErrorDetails { get; set; }
    }

    public class RuntimeException : SystemException
    {
        public RuntimeException(string message)
            : base(message)
        {
        }

        public RuntimeException(string message, Exception innerException)
            : base(message, innerException)
        {
        }

        public virtual ErrorRecord ErrorRecord
        {
            get { return null; }
        }
    }

    public class ActionPreferenceStopException : RuntimeException
    {
        public ActionPreferenceStopException(string message)
            : base(message)
        {
        }
    }

    public class PipelineStoppedException : RuntimeException
    {
        public PipelineStoppedException()
            : base("The pipeline has been stopped.")
        {
        }
    }

    public class PipelineClosedException : RuntimeException
    {
        public PipelineClosedException(string message)
            : base(message)
        {
        }
    }

    public class MetadataException : RuntimeException
    {
        public MetadataException(string message)
            : base(message)
        {
        }

        public MetadataException(string message, Exception innerException)
            : base(message, innerException)
        {
        }
    }

    public class ArgumentTransformationMetadataException : MetadataException
    {
        public ArgumentTransformationMetadataException(string message)
            : base(message)
        {
        }

        public ArgumentTransformationMetadataException(string message, Exception innerException)
            : base(message, innerException)
        {
        }
    }

    public class PSInvalidCastException : InvalidCastException
    {
        public PSInvalidCastException(string message, Exception innerException)
            : base(message, innerException)
        {
        }
    }

    public class InvalidPowerShellStateException : SystemException
    {
        public InvalidPowerShellStateException(string message)
            : base(message)
        {
        }
    }

    public class ParameterBindingException : RuntimeException
    {
        public ParameterBindingException(string message)
            : base(message)
        {
        }
    }
}
